"""What somebody looks at who runs sm for others: queues, workers, copies of the database."""
