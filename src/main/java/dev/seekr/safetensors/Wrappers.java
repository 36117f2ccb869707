package dev.seekr.safetensors;

import java.util.List;
import java.util.Set;

/** What programs put around a model leaves its trace in the names of tensors that they save. */
public final class Wrappers {
  /** At the beginning of a name: DataParallel, DeepSpeed and Lightning; PEFT. */
  private static final List<String> OUTSIDE = List.of("module.", "base_model.model.");

  /** Anywhere in it: torch.compile, FSDP, activation checkpointing. */
  private static final Set<String> WITHIN =
      Set.of("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module");

  private Wrappers() {}

  /** The name without what wrappers put to it, however they are nested. */
  public static String strip(String name) {
    String[] parts = name.split("\\.", -1);
    String left =
        String.join(".", List.of(parts).stream().filter(part -> !WITHIN.contains(part)).toList());
    while (true) {
      String before = left;
      for (String prefix : OUTSIDE)
        if (left.startsWith(prefix)) left = left.substring(prefix.length());
      if (left.equals(before)) return left;
    }
  }

  /** What all names have in front that {@link #strip} takes off; empty where there is no such. */
  public static String prefix(Set<String> names) {
    String common = null;
    for (String name : names) {
      String bare = strip(name);
      if (!name.endsWith(bare)) return "";
      String prefix = name.substring(0, name.length() - bare.length());
      if (common != null && !common.equals(prefix)) return "";
      common = prefix;
    }
    return common == null ? "" : common;
  }
}
