"""`python -m pilothouse`."""

from pilothouse.main import main

main()
