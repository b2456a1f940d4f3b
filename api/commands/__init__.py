"""The commands of ``menpai``, one module for each errand; ``api.cli`` imports the one that is called."""
