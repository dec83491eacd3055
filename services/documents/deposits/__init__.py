"""What a patient deposits on their shelf: documents that a unit asked for, or of their own accord."""
