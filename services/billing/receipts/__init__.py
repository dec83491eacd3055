"""The numbered receipt of a payment, as a page and as a PDF, and the page where anybody checks it."""
