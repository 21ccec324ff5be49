"""The verbs of the command, a file each, whose ``verb`` is imported when it is called."""
