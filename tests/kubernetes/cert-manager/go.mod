// Nothing is built of it: it holds the definitions that the operator's Certificates are checked against.
module dynamo/tests/kubernetes/cert-manager

go 1.19

require github.com/cert-manager/cert-manager v1.21.2
