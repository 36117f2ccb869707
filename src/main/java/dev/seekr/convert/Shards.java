package dev.seekr.convert;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.disk.Disk;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.safetensors.TensorSource;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Which tensors go into which file.
 *
 * @param names of each file, in the order of the source
 * @param bytes of all tensors, as they are stored
 */
record Shards(List<List<String>> names, long bytes) {

  /** Files of at most {@code most} bytes of tensors each, unless one tensor alone is larger. */
  static Shards of(TensorSource source, DType as, long most) {
    var shards = new ArrayList<List<String>>();
    long all = 0, last = 0;
    for (String name : source.names()) {
      DType type = as == null ? source.type(name) : as;
      long bytes = Tensor.size(source.shape(name)) * type.bytes;
      if (shards.isEmpty() || last + bytes > most) {
        shards.add(new ArrayList<>());
        last = 0;
      }
      shards.getLast().add(name);
      last += bytes;
      all += bytes;
    }
    return new Shards(shards, all);
  }

  /** Writes the files, and the index where there are several. */
  void write(Path folder, TensorSource source, DType as, Consumer<String> say) {
    ObjectNode index = JsonNodeFactory.instance.objectNode();
    index.putObject("metadata").put("total_size", bytes);
    ObjectNode map = index.putObject("weight_map");
    for (int i = 0; i < names.size(); i++) {
      String file =
          names.size() == 1
              ? TensorSource.SINGLE
              : "model-%05d-of-%05d.safetensors".formatted(i + 1, names.size());
      Disk.put(
          folder.resolve(file),
          SafetensorsWriter.content(source, names.get(i), Map.of("format", "pt"), as));
      for (String name : names.get(i)) map.put(name, file);
      say.accept("%s: %d tensors.".formatted(file, names.get(i).size()));
    }
    if (names.size() > 1)
      Disk.put(folder.resolve(TensorSource.INDEX), Disk.Content.of(index.toPrettyString() + "\n"));
  }
}
