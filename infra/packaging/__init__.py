"""Makes what is deployed: a zip of code for Lambda and a template for CloudFormation."""
