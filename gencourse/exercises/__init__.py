"""One checker module a notebook: each checks what the learner wrote and says what is wrong."""
