<?php
$db = new PDO('sqlite:' . __DIR__ . '/guests.db');
$db->exec('CREATE TABLE IF NOT EXISTS guests (name TEXT)');
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $db->prepare('INSERT INTO guests VALUES (?)')->execute([$_POST['name']]);
    header('Location: /');
    exit;
}
?>
<!doctype html>
<title>Guests</title>
<link rel="stylesheet" href="/style.css">
<h1>Guests</h1>
<?php foreach ($db->query('SELECT name FROM guests') as $row): ?>
<p><?= htmlspecialchars($row['name']) ?></p>
<?php endforeach ?>
