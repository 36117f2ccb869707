package dev.seekr.safetensors;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What was opened can be read, and its tensors fill the file. */
class SafetensorsFuzzTest extends FuzzTarget {
  SafetensorsFuzzTest() {
    super("x.safetensors", Exit.DATA);
  }

  @Override
  protected Object read(Path file) throws IOException {
    var all = new ArrayList<Object>();
    long bytes = 0;
    try (var opened = Safetensors.open(file)) {
      all.add(opened.metadata());
      for (String name : opened.names()) {
        long elements = Tensor.size(opened.shape(name));
        all.add(List.of(name, Arrays.toString(opened.shape(name))));
        if (!readable(opened, name)) continue;
        Tensor tensor = opened.get(name);
        sound(tensor.size() == elements, name + " is " + tensor);
        bytes += tensor.bytes();
        all.add(Arrays.hashCode(tensor.toDoubles()));
      }
    }
    sound(bytes <= Files.size(file), bytes + " bytes of tensors");
    return all;
  }

  private static boolean readable(Safetensors opened, String name) {
    try {
      return opened.type(name) != null;
    } catch (Failure otherType) {
      return false;
    }
  }
}
