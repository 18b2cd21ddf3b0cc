import { useParams } from "react-router";

export default function Post() {
  const { id } = useParams();
  return <p>{`Post ${id}`}</p>;
}
