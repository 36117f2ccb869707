package dev.seekr.ops.cuda;

import dev.seekr.Failure;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * What a process tells the others before they are one group.
 *
 * @param host Slurm's name of the node, or the machine's
 * @param device its UUID
 * @param name of the device
 * @param id what NCCL's processes find each other by, in hexadecimal digits; of process 0, else ""
 */
record DeviceClaim(String host, String device, String name, String id) {
  private static final String BETWEEN = "\t";

  DeviceClaim(CudaDevice device, String id) {
    this(thisHost(), device.uuid(), device.toString(), id);
  }

  private static String thisHost() {
    String node = System.getenv("SLURMD_NODENAME");
    if (node != null && !node.isEmpty()) return node;
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }

  String line() {
    return String.join(BETWEEN, host, device, name, id);
  }

  static DeviceClaim of(String line) {
    String[] fields = line.split(BETWEEN, -1);
    if (fields.length != 4) throw new IllegalStateException("no claim of a device: " + line);
    return new DeviceClaim(fields[0], fields[1], fields[2], fields[3]);
  }

  /**
   * @param claims by rank
   * @throws Failure 78: several have the same device. NCCL, of which some versions can do that,
   *     says in NCCL_MULTI_RANK_GPU_ENABLE=1 that it is meant.
   */
  static void check(List<DeviceClaim> claims) {
    if ("1".equals(System.getenv("NCCL_MULTI_RANK_GPU_ENABLE"))) return;
    var ranks = new LinkedHashMap<String, List<Integer>>();
    for (int r = 0; r < claims.size(); r++) {
      var claim = claims.get(r);
      var same = ranks.computeIfAbsent(claim.host + BETWEEN + claim.device, _ -> new ArrayList<>());
      same.add(r);
    }
    for (var same : ranks.values()) {
      if (same.size() == 1) continue;
      var claim = claims.get(same.getFirst());
      throw Failure.config(
          "ranks %s have the same device: %s, UUID %s, on %s; start at most as many processes on a machine as it has devices, or let the batch system give each its own (srun --gpus-per-task=1)",
          same.toString().replaceAll("[\\[\\]]", ""), claim.name, claim.device, claim.host);
    }
  }
}
