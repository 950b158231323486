"""django-allauth headless with codes by message, as its documentation sets it up."""
