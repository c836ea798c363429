"""Numbers and dates by pictures, as XPath has them and JSONata 2.0.6 reads them."""
