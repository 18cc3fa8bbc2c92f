"""The Surf Lamp's part of the command line; its modules are imported when one of its commands is run."""
