"""Notifications: what people and programs are told of a run or a game day; nothing here can hold up or fail either."""
