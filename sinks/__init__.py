"""Who is told and what is done: the notifier, the remediator and the recorder."""
