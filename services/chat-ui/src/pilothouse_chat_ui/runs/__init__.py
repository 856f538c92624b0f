"""The making of answers: started by any replica, followed, stopped and taken over by any other."""
