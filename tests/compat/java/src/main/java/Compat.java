import com.basho.riak.client.api.RiakClient;
import com.basho.riak.client.api.cap.VClock;
import com.basho.riak.client.api.commands.kv.DeleteValue;
import com.basho.riak.client.api.commands.kv.FetchValue;
import com.basho.riak.client.api.commands.kv.StoreValue;
import com.basho.riak.client.core.query.Location;
import com.basho.riak.client.core.query.Namespace;
import com.basho.riak.client.core.query.RiakObject;
import com.basho.riak.client.core.util.BinaryValue;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;

/**
 * Maven com.basho.riak:riak-client, over Protocol Buffers: put, get, make siblings, resolve them,
 * delete. Prints `step ok` or `step FAIL why`; later steps need the earlier.
 */
public final class Compat {
  private final RiakClient client;

  private Compat(RiakClient client) {
    this.client = client;
  }

  private static Location at(String key) {
    return new Location(new Namespace("siblings", "compat"), key);
  }

  private void store(String key, String value, VClock vclock) throws Exception {
    RiakObject object =
        new RiakObject().setContentType("text/plain").setValue(BinaryValue.create(value));
    StoreValue.Builder builder = new StoreValue.Builder(object).withLocation(at(key));
    if (vclock != null) {
      builder.withVectorClock(vclock);
    }
    client.execute(builder.build());
  }

  private FetchValue.Response fetch(String key) throws Exception {
    return client.execute(new FetchValue.Builder(at(key)).build());
  }

  private Void expectValues(String key, String... wanted) throws Exception {
    List<String> values =
        fetch(key).getValues(RiakObject.class).stream()
            .map(object -> object.getValue().toString())
            .sorted()
            .collect(Collectors.toList());
    if (!values.equals(List.of(wanted))) {
      throw new IllegalStateException(values.toString());
    }
    return null;
  }

  private Map<String, Callable<Void>> steps(String prefix) {
    String plain = prefix + "-plain";
    String conflict = prefix + "-conflict";
    Map<String, Callable<Void>> steps = new LinkedHashMap<>();
    steps.put("put", () -> {
      store(plain, "hello", null);
      return null;
    });
    steps.put("get", () -> expectValues(plain, "hello"));
    steps.put("siblings", () -> {
      store(conflict, "one", null);
      store(conflict, "two", null);
      return expectValues(conflict, "one", "two");
    });
    steps.put("resolve", () -> {
      store(conflict, "one and two", fetch(conflict).getVectorClock());
      return expectValues(conflict, "one and two");
    });
    steps.put("delete", () -> {
      client.execute(new DeleteValue.Builder(at(plain)).build());
      if (!fetch(plain).isNotFound()) {
        throw new IllegalStateException("still there");
      }
      return null;
    });
    return steps;
  }

  public static void main(String[] arguments) throws Exception {
    RiakClient client = RiakClient.newClient(Integer.parseInt(arguments[1]), arguments[0]);
    for (Map.Entry<String, Callable<Void>> step : new Compat(client).steps(arguments[2]).entrySet()) {
      try {
        step.getValue().call();
        System.out.println(step.getKey() + " ok");
      } catch (Exception error) {
        System.out.println(step.getKey() + " FAIL " + error.toString().replace('\n', ' '));
        System.exit(1);
      }
    }
    System.exit(0);
  }
}
