"""What front ends show of schedules: documents, and why one does not fire."""
