"""The screens of the station's window: each shows what its presenter says and tells it what the person did."""
