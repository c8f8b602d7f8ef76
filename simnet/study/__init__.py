"""Many runs set side by side."""
