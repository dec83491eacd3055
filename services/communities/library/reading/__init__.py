"""Reading the text of a file for the search, and finding words in it: nothing here knows the database."""
