//! Everything about the repository that is not the product.
