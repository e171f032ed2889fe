"""What a verdict is computed from: pure functions over arrays. Each names its source.

`compare` in comparing.py is the way in; judged.py says what comes out.
"""
