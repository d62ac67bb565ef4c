"""The use cases of Carillon and the rules that they apply, one folder per capability."""
