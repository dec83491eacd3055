"""What the portal writes to people: every kind of message is declared here by its room, and a hospital may say some of
them in its own words (`/admin/textes`). Whatever it wrote, a message leaves: a text that cannot be used gives way to
the portal's own."""
