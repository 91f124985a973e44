import { LinkButton } from "../ui/button.tsx";
import { Empty } from "../ui/states.tsx";

export function NotFound() {
  return (
    <div className="pane">
      <Empty title="Page not found" action={<LinkButton to="/videos">Go to videos</LinkButton>}>
        The URL may be wrong, or the page may have been deleted.
      </Empty>
    </div>
  );
}
