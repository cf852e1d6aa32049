"""Install and connection: the OAuth doors, and the providers behind them."""
