"""What people do with the directory: `reports` (readers, and whoever answers them), `editing` (administrators)."""
