"""What all HTML shares: one transaction per request, security headers, errors, languages, form fields, look."""
