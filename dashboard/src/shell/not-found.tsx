import { LinkButton } from "../ui/button.tsx";
import { Empty } from "../ui/states.tsx";

export function NotFound() {
  return (
    <div className="pane">
      <Empty title="There is no such page" action={<LinkButton to="/videos">Go to Videos</LinkButton>}>
        The address may be mistyped, or what it showed has been deleted.
      </Empty>
    </div>
  );
}
