"""What can go wrong, in words for the person at the keyboard."""


class LabError(Exception):
    """The lab cannot do what was asked; the text says why and what to do."""
