console.log('penguindome-server');
