"""Documents: accepting, showing, retrying and deleting them."""
