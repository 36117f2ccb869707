package dev.seekr.safetensors;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** An index beside two shards: 1.safetensors holds a and b, 2.safetensors c. */
class ShardIndexFuzzTest extends FuzzTarget {
  ShardIndexFuzzTest() {
    super(TensorSource.INDEX, Exit.DATA, Exit.INPUT);
  }

  @Override
  protected Path write(Path folder, byte[] input) throws IOException {
    Path second = folder.resolve("2.safetensors");
    if (!Files.exists(second)) {
      Files.write(folder.resolve("1.safetensors"), shard("a", "b"));
      Files.write(second, shard("c"));
    }
    return super.write(folder, input);
  }

  /** Each tensor is two floats. */
  private static byte[] shard(String... names) {
    var header = new StringBuilder();
    for (int i = 0; i < names.length; i++)
      header.append(
          ",\"%s\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[%d,%d]}"
              .formatted(names[i], 8 * i, 8 * i + 8));
    return HeaderBytes.file("{" + header.substring(1) + "}", 8 * names.length);
  }

  @Override
  protected Object read(Path file) {
    var all = new ArrayList<Object>();
    try (var opened = TensorSource.open(file)) {
      sound(!opened.names().isEmpty(), "no tensors");
      sound(List.of("a", "b", "c").containsAll(opened.names()), "names " + opened.names());
      for (String name : opened.names())
        all.add(name + Arrays.toString(opened.get(name).toDoubles()));
    }
    return all;
  }
}
