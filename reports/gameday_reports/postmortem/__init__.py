"""The draft of a game day's postmortem, from its folder alone: what happened, what it cost, how long people took, what is to be done."""
