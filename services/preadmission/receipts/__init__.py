"""The numbered receipt of a file, as a PDF, and the page where anybody checks it."""
