"""What can be seen of a running hub from outside."""
