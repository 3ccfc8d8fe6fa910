"""What a model file is: archives, foreign formats, and the models a step may use."""
