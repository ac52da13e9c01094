# Certificates and kubeconfigs of the test cluster, made with openssl; sourced by `cluster`.

# cert NAME SUBJECT [SAN]: a key and a certificate signed by the cluster's CA, for clients and servers.
cert() {
  local file=$1 subject=$2 san=${3:-}
  if [ -s "$pki/$file.crt" ]; then return; fi
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$subject" \
    -keyout "$pki/$file.key" -out "$pki/$file.csr" 2>/dev/null
  openssl x509 -req -in "$pki/$file.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial -days 3650 \
    -extfile <(printf 'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=clientAuth,serverAuth\n'
               [ -z "$san" ] || echo "subjectAltName=$san") -out "$pki/$file.crt" 2>/dev/null
}

kubeconfig() { # NAME: of the certificate NAME, embedded, as $state/NAME.conf
  cat >"$state/$1.conf" <<EOF
apiVersion: v1
kind: Config
clusters:
- name: test
  cluster:
    server: https://$control_plane:6443
    certificate-authority-data: $(base64 -w0 <"$pki/ca.crt")
users:
- name: $1
  user:
    client-certificate-data: $(base64 -w0 <"$pki/$1.crt")
    client-key-data: $(base64 -w0 <"$pki/$1.key")
contexts:
- name: test
  context: {cluster: test, user: $1}
current-context: test
EOF
  chmod 600 "$state/$1.conf"
}

make_authority() {
  if [ -s "$pki/ca.crt" ]; then return; fi
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=test-ca \
    -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature \
    -keyout "$pki/ca.key" -out "$pki/ca.crt" 2>/dev/null
  # Service accounts' tokens.
  openssl ecparam -name prime256v1 -genkey -noout -out "$pki/sa.key"
  openssl ec -in "$pki/sa.key" -pubout -out "$pki/sa.pub" 2>/dev/null
}

make_pki() {
  install -d -m 700 "$pki"
  make_authority
  local component node service=DNS:kubernetes
  service+=,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
  cert apiserver /CN=kube-apiserver "IP:$control_plane,IP:127.0.0.1,IP:$services.0.1,DNS:localhost,$service"
  cert apiserver-kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client
  cert front-proxy-client /CN=front-proxy-client
  cert admin /O=system:masters/CN=admin
  kubeconfig admin
  for component in kube-controller-manager kube-scheduler kube-proxy; do
    cert $component /CN=system:$component
    kubeconfig $component
  done
  for node in $(nodes); do
    cert "$node" "/O=system:nodes/CN=system:node:$node" "DNS:$node,IP:$(node_address "$node")"
    kubeconfig "$node"
  done
}
