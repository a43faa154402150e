"""What each kind of check tells of itself: a module for each subject, of data alone."""
