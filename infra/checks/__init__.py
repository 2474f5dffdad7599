"""What must hold of the deployment beyond what the public linters know. Run by ../check.sh."""
