"""Does once what a person does, through the page's address, and looks closely at the citation."""
