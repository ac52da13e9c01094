// Command provisioner makes volumes for the test cluster: for each claim of a class with its name, once the
// scheduler has chosen a node, a directory on that node's disk (ROOT/NODE/volumes/VOLUME) and a local volume
// that points to it; and removes both when the claim is gone. It runs on the machine itself, beside the nodes.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"path/filepath"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const name = "dynamo.test/local"

var root string

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of a kubeconfig")
	flag.StringVar(&root, "root", "", "folder of the nodes' disks")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	client := kubernetes.NewForConfigOrDie(config)
	factory := informers.NewSharedInformerFactory(client, 30*time.Second)
	handle := func(informer cache.SharedIndexInformer, f func(any) error) {
		do := func(o any) {
			if err := f(o); err != nil {
				log.Print(err)
			}
		}
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: do, UpdateFunc: func(_, o any) { do(o) }})
		if err != nil {
			log.Fatal(err)
		}
	}
	handle(factory.Core().V1().PersistentVolumeClaims().Informer(), func(o any) error {
		return provision(client, o.(*core.PersistentVolumeClaim))
	})
	handle(factory.Core().V1().PersistentVolumes().Informer(), func(o any) error {
		return remove(client, o.(*core.PersistentVolume))
	})
	factory.Start(nil)
	select {}
}

func dir(node, volume string) string { return filepath.Join(root, node, "volumes", volume) }

func provision(client kubernetes.Interface, claim *core.PersistentVolumeClaim) error {
	node := claim.Annotations["volume.kubernetes.io/selected-node"]
	if node == "" || claim.Annotations["volume.kubernetes.io/storage-provisioner"] != name ||
		claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil {
		return nil
	}
	volume := "pvc-" + string(claim.UID)
	d := dir(node, volume)
	if err := os.MkdirAll(d, 0o777); err != nil {
		return err
	}
	if err := os.Chmod(d, 0o777); err != nil {
		return err
	}
	_, err := client.CoreV1().PersistentVolumes().Create(context.Background(), &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{
			Name:        volume,
			Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": name},
		},
		Spec: core.PersistentVolumeSpec{
			Capacity:    core.ResourceList{core.ResourceStorage: claim.Spec.Resources.Requests[core.ResourceStorage]},
			AccessModes: claim.Spec.AccessModes,
			ClaimRef: &core.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID},
			PersistentVolumeReclaimPolicy: core.PersistentVolumeReclaimDelete,
			StorageClassName:              *claim.Spec.StorageClassName,
			PersistentVolumeSource: core.PersistentVolumeSource{
				Local: &core.LocalVolumeSource{Path: "/var/lib/dynamo-kube-volumes/" + volume}},
			NodeAffinity: &core.VolumeNodeAffinity{Required: &core.NodeSelector{
				NodeSelectorTerms: []core.NodeSelectorTerm{{MatchExpressions: []core.NodeSelectorRequirement{{
					Key: core.LabelHostname, Operator: core.NodeSelectorOpIn, Values: []string{node}}}}}}},
		},
	}, meta.CreateOptions{})
	if errors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func remove(client kubernetes.Interface, v *core.PersistentVolume) error {
	if v.Annotations["pv.kubernetes.io/provisioned-by"] != name || v.Status.Phase != core.VolumeReleased {
		return nil
	}
	node := v.Spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions[0].Values[0]
	if err := os.RemoveAll(dir(node, v.Name)); err != nil {
		return err
	}
	err := client.CoreV1().PersistentVolumes().Delete(context.Background(), v.Name, meta.DeleteOptions{})
	if errors.IsNotFound(err) {
		return nil
	}
	return err
}
