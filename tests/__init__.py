"""The tests of Carillon; what they share lies beside this file."""
