package dev.seekr.method;

import dev.seekr.data.Task;
import java.util.List;

/**
 * Multi-task learning: all tasks at once. The upper bound; nothing is forgotten since nothing comes
 * later.
 */
public record Mtl(Setup setup) implements Method {
  @Override
  public List<Stage> stages(List<Task> tasks) {
    return List.of(new Stage("all tasks", tasks, tasks.size()));
  }
}
