"""What `./dev` runs: process supervision, embedded servers, checks. Imports nothing of the product's packages."""
