// Nothing is built of it: it holds the definitions that the chart's objects are checked against.
module dynamo/tests/kubernetes/prometheus

go 1.19

require github.com/prometheus-operator/prometheus-operator v0.68.0
