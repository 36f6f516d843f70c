"""Recording the lab: stories are played, their truth is read from mailboxes and queues."""
