"""Files made by hand to take memory, time, or what lies in other files; and what they do take."""
