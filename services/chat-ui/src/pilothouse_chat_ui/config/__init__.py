"""What the page needs to know before it shows anything."""
