"""The pages of live nodes in a real browser."""
